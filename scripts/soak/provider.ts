/** A model that answers slowly: a word every so often, on a port of its own. Prints its URL. `node provider.ts PAUSE WORDS` */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { chunk, event, usage } from "../../packages/server/test/support/FakeProvider.ts"

const [pause = 1000, words = 30] = process.argv.slice(2).map(Number)

const server = createServer((request, response) => {
  request.resume()
  request.on("end", () => {
    response.writeHead(200, { "content-type": "text/event-stream" })
    let said = 0
    const timer = setInterval(() => {
      if (said < words) response.write(chunk({ content: `word${said++} ` }))
      else {
        clearInterval(timer)
        response.end(chunk({}, "stop") + usage(10, words) + event("[DONE]"))
      }
    }, pause)
    response.on("close", () => clearInterval(timer))
  })
})

server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
process.stdin.on("end", () => process.exit()).resume()
