import { nearestName } from '@millrace/server'
import { UsageError } from './usage-error.ts'

/** Parses with messages that name the nearest option. @throws UsageError */
export function parsed<Options extends object, Result>(
  command: string,
  options: Options,
  parse: (options: Options) => Result,
): Result {
  try {
    return parse(options)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const unknown = /^Unknown option '--([^']*)'/.exec(message)?.[1]
    if (unknown === undefined) throw new UsageError(message)
    const near = nearestName(unknown, Object.keys(options))
    const hint = near === undefined ? '' : ` Did you mean --${near}?`
    throw new UsageError(`There is no option --${unknown}.${hint} See millrace ${command} --help.`)
  }
}
