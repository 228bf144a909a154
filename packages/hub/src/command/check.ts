import { parseArgs } from 'node:util'
import { checkConfigFile } from '../settings/read-config-file.ts'
import { configJsonSchema } from '../settings/config-schema.ts'
import { parsed } from './parsed.ts'
import { UsageError } from './usage-error.ts'

const USAGE = `Usage: millrace check FILE
       millrace check --schema

Checks a configuration file of millrace serve and names everything that is wrong with it, and warns of a folder that is
not there yet, which may come with the service. The exit code is 0 when nothing is wrong, 1 when something is, 2 when it
was called in a way that it does not know.

Options
  --schema     print the JSON Schema of the file, which an editor can use
  -h, --help   this text
`
const OPTIONS = { schema: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const

/** Says what is wrong with a configuration file. */
export function check(argv: readonly string[]): void {
  const { values, positionals } = parsed('check', OPTIONS, (options) =>
    parseArgs({ args: [...argv], options, allowPositionals: true }),
  )
  if (values.help) {
    process.stdout.write(USAGE)
    return
  }
  if (values.schema) {
    process.stdout.write(`${JSON.stringify(configJsonSchema(), undefined, 2)}\n`)
    return
  }
  const [path, more] = positionals
  if (path === undefined || more !== undefined) {
    throw new UsageError('Name one configuration file: millrace check millrace.json. See millrace check --help.')
  }
  const { problems, warnings } = checkConfigFile(path)
  for (const warning of warnings) process.stderr.write(`${path}: warning: ${warning}\n`)
  if (problems.length === 0) {
    process.stdout.write(`${path} is fine.\n`)
    return
  }
  process.stderr.write(problems.map((problem) => `${path}: ${problem}\n`).join(''))
  process.exitCode = 1
}
