/**
 * Bundles the page of `browser/page.ts` and serves it. The backend must know where its pages come from:
 *
 * ```sh
 * CHATBOT_CORS_ORIGINS=http://127.0.0.1:3000 pnpm serve
 * node packages/examples/src/browser/serve.ts
 * ```
 */
import { readFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { rolldown } from "rolldown"

const backend = process.env["CHATBOT_BASE_URL"] ?? "http://127.0.0.1:8080"

const build = await rolldown({
  input: join(import.meta.dirname, "page.ts"),
  platform: "browser",
  transform: { define: { BACKEND: JSON.stringify(backend) } }
})
const { output } = await build.generate({ format: "esm", minify: true })
await build.close()

const files = new Map([
  ["/", { type: "text/html", body: await readFile(join(import.meta.dirname, "index.html"), "utf8") }],
  ["/page.js", { type: "text/javascript", body: output[0].code }]
])

const server = createServer((request, response) => {
  const file = files.get(request.url ?? "")
  if (file === undefined) response.writeHead(404).end()
  else response.writeHead(200, { "content-type": `${file.type}; charset=utf-8` }).end(file.body)
})

server.listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1", () => {
  const { address, port } = server.address() as AddressInfo
  console.log(`Listening on http://${address}:${port}`)
})
