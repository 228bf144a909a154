/** A command that was given something it cannot use. The message goes to the user as it is. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
