// After `npm run build`: every package is imported as a user gets it, by its plain public entry, without the
// condition that leads to the sources. Fails when an entry leads elsewhere than to dist, or does not load.
import { entriesOf, publishedPackages } from './packages.mjs'

for (const { manifest } of publishedPackages()) {
  for (const entry of entriesOf(manifest)) await checkEntry(entry)
}

/** @param {string} specifier */
async function checkEntry(specifier) {
  const target = import.meta.resolve(specifier)
  if (!target.includes('/dist/')) throw new Error(`${specifier} leads to ${target}, not to what was built`)
  const names = Object.keys(await import(specifier))
  if (names.length === 0) throw new Error(`${specifier} exports nothing`)
  console.log(`ok  ${specifier} (${names.length} exports)`)
}
