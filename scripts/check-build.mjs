// After `npm run build`: every package is imported as a user gets it, by its plain public entry, without the
// condition that leads to the sources. Fails when an entry leads elsewhere than to dist, or does not load.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './ensure-install.mjs'

const packages = join(root, 'packages')

/** Folders that hold packages of one kind. */
const groups = ['adapters', 'backends']
const grouped = groups.flatMap((group) => readdirSync(join(packages, group)).map((folder) => join(group, folder)))
const folders = [...readdirSync(packages).filter((folder) => !groups.includes(folder)), ...grouped]

for (const folder of folders) {
  const { name, exports = {} } = JSON.parse(readFileSync(join(packages, folder, 'package.json'), 'utf8'))
  // An entry with a star is a folder of data.
  const entries = Object.keys(exports).filter((entry) => !entry.includes('*'))
  for (const entry of entries) await checkEntry(name + entry.slice(1))
}

/** @param {string} specifier */
async function checkEntry(specifier) {
  const target = import.meta.resolve(specifier)
  if (!target.includes('/dist/')) throw new Error(`${specifier} leads to ${target}, not to what was built`)
  const names = Object.keys(await import(specifier))
  if (names.length === 0) throw new Error(`${specifier} exports nothing`)
  console.log(`ok  ${specifier} (${names.length} exports)`)
}
