import { pino, type DestinationStream, type Logger } from 'pino'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
/** How much is written: a level and all that are more serious. */
export type LogLevel = (typeof LOG_LEVELS)[number]

/** What must never be read in a log, in whatever it comes along. */
const SECRETS = ['authorization', 'cookie', 'ticket', 'token', 'secret']

/** Makes the log of a hub: one JSON object a line. */
export function logLines(level: LogLevel, destination: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
    },
    destination,
  )
}
