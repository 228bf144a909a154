export const MAX_CLIENT_NAME_LENGTH = 128
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const CLIENT_NAME = /^[^\u0000-\u001f\u007f-\u009f]+$/

/** Whether a text may be the name that a client chooses for itself: 1 to 128 characters, no control characters. */
export function isClientName(name: unknown): name is string {
  if (typeof name !== 'string' || name.length > MAX_CLIENT_NAME_LENGTH) return false
  return name.isWellFormed() && CLIENT_NAME.test(name)
}
