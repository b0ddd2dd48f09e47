/** `POST /api/answer/stream` of Next.js, see `web/answers.ts`. */
export { answerStream as POST } from "../../../../answers.ts"
