// Writes what is made of the hub's table of options: `npm run write:defaults`. A test compares both with the table.
import { writeFileSync } from 'node:fs'
import { configJsonSchema } from '../packages/hub/src/settings/config-schema.ts'
import { defaultsPage } from '../packages/hub/src/settings/defaults-page.ts'

const root = new URL('../', import.meta.url)
writeFileSync(new URL('docs/defaults.md', root), defaultsPage())
writeFileSync(new URL('packages/hub/config.schema.json', root), `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`)
