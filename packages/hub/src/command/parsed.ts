import { nearestName } from '@millrace/server'
import { UsageError } from './usage-error.ts'

/** Parses with messages that say what to do, and name the nearest option. @throws UsageError */
export function parsed<Options extends object, Result>(
  command: string,
  options: Options,
  parse: (options: Options) => Result,
): Result {
  try {
    return parse(options)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const fault = faultOf(code, message, Object.keys(options))
    // A number below zero is read as an option.
    const hint = command === 'publish' && /^There is no option -\d/.test(fault) ? ' Write -- before it: -- -5.' : ''
    throw new UsageError(`${fault}${hint} See millrace ${command} --help.`)
  }
}

/** What Node says of arguments, in the words of the command. */
function faultOf(code: string | undefined, message: string, names: readonly string[]): string {
  const subject = /'([^']*)'/.exec(message)?.[1] ?? ''
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const near = subject.startsWith('--') ? nearestName(subject.slice(2), names) : undefined
    return `There is no option ${subject}.${near === undefined ? '' : ` Did you mean --${near}?`}`
  }
  if (code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') return `${JSON.stringify(subject)} belongs to no option.`
  // Such as '-h, --help', '--port <value>', '--port'.
  const option = /--[\w-]+/.exec(subject)?.[0] ?? subject
  return message.includes('does not take') ? `${option} takes no value.` : `${option} needs a value.`
}
