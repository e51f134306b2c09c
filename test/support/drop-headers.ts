// Deletes the C++ headers that come with the package `node`. They are for native add-ons, of which there are none, and they are a
// third of that package: 67 MB. npm runs it whenever it has changed node_modules.
import { globSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'

const MODULES = join(import.meta.dirname, '../../node_modules')

for (const folder of globSync('node/node_modules/node-*/include', { cwd: MODULES })) {
  await rm(join(MODULES, folder), { recursive: true })
}
