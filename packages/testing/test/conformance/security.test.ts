import { securityBreaks } from "./securityBreaks.ts"
import { finds } from "./World.ts"

finds("who may do what", securityBreaks)
