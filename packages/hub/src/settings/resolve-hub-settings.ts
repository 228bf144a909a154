import { UsageError } from '../command/usage-error.ts'
import { demoDefaults } from '../demo/demo-settings.ts'
import { defaultHubSettings, type HubSettings } from '../hub-settings.ts'
import { checkConfig } from './config-schema.ts'
import { problemsTogether } from './problems-together.ts'

/**
 * Fills in the defaults, also of what is undefined, and checks everything as `millrace check` does.
 *
 * @throws UsageError that names everything that is wrong
 */
export function resolveHubSettings(given: Partial<HubSettings>): HubSettings {
  const defined = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  const { config, faulty, problems } = checkConfig(defined)
  const settings = { ...defaultHubSettings, ...(config.demo === true ? demoDefaults : {}), ...config }
  const all = [...problems, ...problemsTogether(settings, faulty)]
  if (all.length > 0) throw new UsageError(all.join('\n'))
  return settings
}
