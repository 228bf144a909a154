import { hubOptions, optionNames, type OptionName } from '../settings/hub-options.ts'
import { defaultText, type Group } from '../settings/option.ts'
import { flagOf } from '../settings/option-names.ts'

const HEAD = `Usage: millrace serve [options]

Runs the hub: publish with POST /events, subscribe with GET /events.
`
const FOOT = `Others
  --config FILE               a configuration file (JSON) with the same options: { "heartbeatMs": 15000 };
                              millrace check FILE checks one, millrace check --schema prints its schema
  -h, --help                  this text

Each option is also MILLRACE_PORT, MILLRACE_HOST, ... in the environment and a key of the configuration file;
flags win, then the environment, then the file. A switch is turned off by --no-demo.
SIGTERM or Ctrl-C ends streams with a farewell over up to --drain-ms; a second one exits at once.
`
const LEFT_WIDTH = 28
const TEXT_WIDTH = 84

/** The help of `millrace serve`: what the table of options says. */
export function serveUsage(): string {
  const groups = Map.groupBy(optionNames, (name) => hubOptions[name].group)
  return [HEAD, ...Array.from(groups, ([group, names]) => groupText(group, names)), FOOT].join('\n')
}

function groupText(group: Group, names: readonly OptionName[]): string {
  return `${group}\n${names.map(optionText).join('')}`
}

function optionText(name: OptionName): string {
  const { form, placeholder, summary } = hubOptions[name]
  const left = form === 'file only' ? `(${name})` : `--${flagOf(name)}${placeholder && ` ${placeholder}`}`
  const usual = form === 'switch' || form === 'file only' ? '' : ` (default ${defaultText(hubOptions[name])})`
  const [first = '', ...more] = wrapped(summary + usual)
  const start =
    left.length + 3 > LEFT_WIDTH ? `  ${left}\n${' '.repeat(LEFT_WIDTH + 2)}` : `  ${left.padEnd(LEFT_WIDTH)}`
  return `${start}${first}\n${more.map((line) => `${' '.repeat(LEFT_WIDTH + 2)}${line}\n`).join('')}`
}

function wrapped(text: string): readonly string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? ''
    if (last === '') lines[lines.length - 1] = word
    else if (last.length + 1 + word.length <= TEXT_WIDTH) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
