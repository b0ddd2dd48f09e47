import { commonBreaks } from "./commonBreaks.ts"
import { finds } from "./World.ts"

finds("any operation", commonBreaks)
