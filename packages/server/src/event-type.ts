import { RESERVED_PREFIX } from '@millrace/protocol'
import { HubError } from './hub-error.ts'
import { shown } from './shown.ts'

const RESERVED_TYPES = new Set(['open', 'error'])

/** Checks the type of somebody's event. @throws HubError `invalid_event` */
export function checkEventType(type: unknown): void {
  const fault = typeFault(type)
  if (fault) throw new HubError('invalid_event', `type is ${shown(type)}: ${fault}.`)
}

function typeFault(type: unknown): string | undefined {
  if (typeof type !== 'string') return 'it must be a string'
  if (type === '') return 'it must not be empty; leave it out for "message"'
  if (type.length > 256) return 'it must not be longer than 256 characters'
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(type)) return 'it must not have line breaks or other control characters'
  if (!type.isWellFormed()) return 'it must be valid Unicode'
  if (type.startsWith(RESERVED_PREFIX)) return `the prefix ${RESERVED_PREFIX} belongs to the stream itself`
  if (RESERVED_TYPES.has(type)) return 'a native EventSource fires an event of its own under this name'
  return undefined
}
