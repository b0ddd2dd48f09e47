/** `POST /api/answer` of Next.js, see `web/answers.ts`. */
export { answer as POST } from "../../../answers.ts"
