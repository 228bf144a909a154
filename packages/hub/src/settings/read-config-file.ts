import { existsSync, readFileSync } from 'node:fs'
import { dirname, isAbsolute } from 'node:path'
import { defaultHubSettings } from '../hub-settings.ts'
import { checkConfig, type CheckedConfig } from './config-schema.ts'
import { duplicateKeys } from './duplicate-keys.ts'
import { problemsTogether } from './problems-together.ts'

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not read it',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8. Save it as UTF-8',
}
/** Takes a byte order mark off. */
const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** What a configuration file says, and all that is wrong with it. */
export function readConfigFile(path: string): CheckedConfig {
  let text: string
  try {
    text = UTF8.decode(readFileSync(path))
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    return unreadable(`It cannot be read: ${REASONS[code] ?? message}.`)
  }
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    return unreadable(`It is not JSON: ${jsonFault(text, String(error instanceof Error ? error.message : error))}`)
  }
  const { config, faulty, problems } = checkConfig(content)
  const twice = duplicateKeys(text).map((key) => `${key} is there twice. Leave one of them.`)
  return { config, faulty, problems: [...twice, ...problems] }
}

function jsonFault(text: string, message: string): string {
  if (text.trim() === '') return 'it is empty, and {} is the least.'
  const hasComments = /^\s*(?:\/\/|\/\*|#)/m.test(text)
  // The engine quotes the text as it is, with its line ends.
  return `${message.replaceAll(/\s+/g, ' ')}.${hasComments ? ' JSON has no comments: leave them out.' : ''}`
}

function unreadable(problem: string): CheckedConfig {
  return { config: {}, faulty: new Set(), problems: [problem] }
}

export interface ConfigFileReport {
  /** All that is wrong with the file by itself. */
  readonly problems: readonly string[]
  /** What may be wrong with it, when it is served on this machine. */
  readonly warnings: readonly string[]
}

export function checkConfigFile(path: string): ConfigFileReport {
  const { config, faulty, problems } = readConfigFile(path)
  const together = problemsTogether({ ...defaultHubSettings, ...config }, faulty)
  return { problems: [...problems, ...together], warnings: folderWarnings(config.log) }
}

function folderWarnings(log: string = ''): readonly string[] {
  const folder = dirname(log.slice('sqlite:'.length))
  if (!log.startsWith('sqlite:') || !isAbsolute(folder) || existsSync(folder)) return []
  return [`log is ${JSON.stringify(log)}; there is no folder ${folder} here, and without it the hub does not start.`]
}
