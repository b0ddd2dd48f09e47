import { administrationBreaks } from "./administrationBreaks.ts"
import { finds } from "./World.ts"

finds("what admins do", administrationBreaks)
