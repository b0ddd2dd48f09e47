import { coreBreaks } from "./coreBreaks.ts"
import { finds } from "./World.ts"

finds("what users do", coreBreaks)
