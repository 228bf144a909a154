import { HubError, resolveHubLimits } from '@millrace/server'
import { limitsOf, type HubSettings } from '../hub-settings.ts'

/** Options that do not go together. */
export function problemsTogether(settings: HubSettings): readonly string[] {
  try {
    resolveHubLimits(limitsOf(settings))
    return []
  } catch (error) {
    if (error instanceof HubError) return [error.message]
    throw error
  }
}
