/** The lint rules of this repository: which way imports run, and that every export has a doc comment. */
import { dirname, resolve } from "node:path"
import type { RuleTester } from "oxlint/plugins-dev"

type Rule = Parameters<RuleTester["run"]>[1]

/** What the sources of each package may import of the others. Tests may import whatever their package declares. */
const uses: Record<string, ReadonlyArray<string>> = {
  schema: [],
  api: ["schema"],
  client: ["schema", "api"],
  server: ["schema", "api"],
  cli: ["schema", "api", "client"],
  testing: ["schema", "api", "client", "server"],
  ai: ["schema", "client"],
  examples: ["schema", "client", "server", "ai"]
}

/**
 * Modules that only re-export a folder: importing one loads all of it, which a cold start pays for. Examples import what is short to read.
 */
const barrel = /^(effect|effect\/[a-z-]+|@effect\/platform-node)$/

const imports: Rule = {
  create(context) {
    const [root, name = ""] = /^.*\/packages\/([^/]+)(?=\/)/.exec(context.filename) ?? []
    const allowed = context.filename.startsWith(`${root}/src/`) ? uses[name] : undefined

    return {
      "Literal.source"(node) {
        if (node.type !== "Literal" || typeof node.value !== "string") return
        const report = (message: string) => context.report({ node, message })
        const source = node.value
        const other = /^@effect-chatbot\/([^/]+)/.exec(source)?.[1]
        if (name !== "examples" && barrel.test(source)) {
          report(`Import the module by its path, as "${source}/…": this one loads everything beside it.`)
        }
        if (source.startsWith("../") && root && !resolve(dirname(context.filename), source).startsWith(`${root}/`)) {
          report("A relative import must stay in its package. Import other packages by name.")
        }
        if (allowed && other && !allowed.includes(other)) {
          report(`"${name}" must not import "${other}".`)
        }
      }
    }
  }
}

const docs: Rule = {
  create(context) {
    return {
      Program(program) {
        // A type shares the comment of the value of its name, and overloads share one.
        const documented = new Set<string>()
        const missing = new Map<string, (typeof program.body)[number]>()
        for (const node of program.body) {
          if (node.type !== "ExportNamedDeclaration" || node.declaration === null) continue
          const [declaration] = "declarations" in node.declaration ? node.declaration.declarations : [node.declaration]
          if (declaration?.id?.type !== "Identifier") continue
          const comment = context.sourceCode.getCommentsBefore(node).at(-1)
          if (comment?.type === "Block" && comment.value.startsWith("*")) documented.add(declaration.id.name)
          else missing.set(declaration.id.name, node)
        }
        for (const [name, node] of missing) {
          if (!documented.has(name)) context.report({ node, message: `"${name}" is exported and has no doc comment.` })
        }
      }
    }
  }
}

export default { meta: { name: "chatbot" }, rules: { imports, docs } }
