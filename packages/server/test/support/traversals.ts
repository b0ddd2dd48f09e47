/** Spellings of paths that try to leave a folder. */

const dots = [
  "..",
  ".%2e",
  "%2e.",
  "%2E%2E",
  "%252e%252e",
  "%25252e%25252e",
  // Overlong UTF-8, and the forms that other servers decoded.
  "%c0%ae%c0%ae",
  "%e0%80%ae%e0%80%ae",
  "%f0%80%80%ae%f0%80%80%ae",
  "%u002e%u002e",
  "%uff0e%uff0e",
  // What looks like dots, or becomes them under compatibility normalisation.
  "\uff0e\uff0e",
  "\u2025",
  "%ef%bc%8e%ef%bc%8e",
  "\u2024\u2024",
  "..;",
  "..;x=y",
  "..%00",
  "%00..",
  "..%20",
  "..%09",
  "..%0d%0a",
  ". .",
  "....",
  "...",
  ".%00.",
  "..%3f",
  "..%23",
  "..\u0000",
  "..%ff",
  "%%32%65%%32%65"
]

const slashes = [
  "/",
  "%2f",
  "%2F",
  "%252f",
  "%25252f",
  "\\",
  "%5c",
  "%255c",
  "%c0%af",
  "%e0%80%af",
  "%c1%9c",
  "%u2215",
  "%ef%bc%8f",
  "\u2215",
  "\u2044",
  "\uff0f",
  "//",
  "/./",
  "%2f%2f",
  "\\/",
  "/%2e/",
  "/\\"
]

const files = [
  "canary.txt",
  "bot.yaml",
  "image.png",
  "chatbot.db",
  "admin-token",
  "secret-key",
  "etc/passwd",
  "windows/win.ini"
]

const absolute = [
  "/etc/passwd",
  "//etc/passwd",
  "%2fetc%2fpasswd",
  "%2f%2fetc%2fpasswd",
  "file:///etc/passwd",
  "file:%2f%2f%2fetc%2fpasswd",
  "C:\\windows\\win.ini",
  "C:/windows/win.ini",
  "C%3a%5cwindows%5cwin.ini",
  "c:canary.txt",
  "\\\\localhost\\c$\\canary.txt",
  "%5c%5clocalhost%5cc$%5ccanary.txt",
  "\\\\?\\C:\\canary.txt",
  "\\\\.\\C:\\canary.txt",
  "//localhost/c$/canary.txt",
  "~/canary.txt",
  "~root/canary.txt",
  "$HOME/canary.txt",
  "%24%7bHOME%7d/canary.txt",
  "/proc/self/environ",
  "/proc/self/cwd/canary.txt",
  "%2fproc%2fself%2ffd%2f3",
  "/dev/stdin",
  "CON",
  "AUX.txt",
  "canary.txt::$DATA",
  "canary.txt%00.md",
  "canary.txt%0a",
  "canary.txt.",
  "canary.txt%20",
  "/",
  "//",
  "%2f",
  ".",
  "..",
  "%2e",
  "%2e%2e",
  "%00",
  "%",
  "%2",
  "%zz",
  "%ff%fe",
  "*",
  "?",
  "#"
]

/** At least 500 of them, no two alike. `prefixes` are folders that are there; `outside` are absolute paths of files that must not be read. */
export const traversals = (prefixes: ReadonlyArray<string>, outside: ReadonlyArray<string>): ReadonlyArray<string> => {
  const spellings = new Set([
    ...absolute,
    ...outside,
    ...outside.map((path) => path.replaceAll("/", "%2f")),
    ...outside.map((path) => path.replaceAll("/", "\\")),
    ...outside.map((path) => `file://${path}`)
  ])
  let index = 0
  for (const dot of dots) {
    for (const slash of slashes) {
      // How deep, from where and to what takes turns, so that every two of them meet.
      const depth = 1 + (index % 7)
      const prefix = prefixes[index % prefixes.length] ?? ""
      const file = files[index % files.length] ?? ""
      spellings.add(`${prefix}${`${dot}${slash}`.repeat(depth)}${file}`)
      index++
    }
  }
  for (const prefix of prefixes) {
    for (const other of absolute) if (prefix !== "") spellings.add(`${prefix}${other}`)
    // Several spellings in one path.
    for (let seed = 0; seed < 40; seed++) {
      const parts = [0, 1, 2, 3].map((step) => {
        const dot = dots[(seed * 7 + step * 11) % dots.length] ?? ""
        const slash = slashes[(seed * 5 + step * 13) % slashes.length] ?? ""
        return `${dot}${slash}`
      })
      spellings.add(`${prefix}${parts.join("")}${files[seed % files.length]}`)
    }
  }
  return Array.from(spellings)
}
