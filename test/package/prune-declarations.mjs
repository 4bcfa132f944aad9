// Removes the declarations to which no entry of the package leads: the compiler of a user never reads them, and they are
// more than half of all.
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')
const { exports } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8'))
const reached = new Set()

function reach (file) {
  if (reached.has(file)) return
  reached.add(file)
  for (const [, path] of readFileSync(file, 'utf8').matchAll(/(?:from|import) ?\(?['"](\.[^'"]+)\.js['"]/g)) {
    reach(resolve(dirname(file), `${path}.d.ts`))
  }
}

for (const { types } of Object.values(exports)) if (types !== undefined) reach(resolve(root, types))
for (const name of readdirSync(resolve(root, 'dist/lib'), { recursive: true })) {
  const file = resolve(root, 'dist/lib', name)
  if (name.endsWith('.d.ts') && !reached.has(file)) rmSync(file)
}
