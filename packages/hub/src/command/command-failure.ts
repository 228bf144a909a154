/** What a command was asked for could not be done; the message says why and what to do. Its exit code is 1. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure'
}
