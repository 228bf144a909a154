import { readFileSync } from 'node:fs'
import { defaultHubSettings } from '../hub-settings.ts'
import { checkConfig, type ConfigFile } from './config-schema.ts'
import { problemsTogether } from './problems-together.ts'

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not read it',
}

/** What a configuration file says, and all that is wrong with it. */
export function readConfigFile(path: string): { readonly config: ConfigFile; readonly problems: readonly string[] } {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    return { config: {}, problems: [`It cannot be read: ${REASONS[code] ?? message}.`] }
  }
  let content: unknown
  try {
    content = JSON.parse(text.replace(/^\ufeff/, ''))
  } catch (error) {
    return { config: {}, problems: [`It is not JSON: ${error instanceof Error ? error.message : String(error)}.`] }
  }
  return checkConfig(content)
}

/** All that is wrong with a configuration file, by itself. */
export function checkConfigFile(path: string): readonly string[] {
  const { config, problems } = readConfigFile(path)
  return problems.length > 0 ? problems : problemsTogether({ ...defaultHubSettings, ...config })
}
