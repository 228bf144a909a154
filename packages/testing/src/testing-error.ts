import { AssertionError } from 'node:assert'

/**
 * - `invalid_option`: an argument is outside its range, or of no kind that is known.
 * - `no_upstream`: a script says `forward()`, and the server was given no upstream.
 * - `head_was_sent`: a step that decides about the head comes after it.
 * - `too_many_requests`: a client asks again and again; the server stopped answering it.
 * - `too_many_events`: a source goes on and on; the collector has let it go.
 */
export type TestingErrorCode =
  | 'invalid_option'
  | 'no_upstream'
  | 'head_was_sent'
  | 'too_many_requests'
  | 'too_many_events'

/** A test that is set up wrongly. Branch on `code`; the message is for people and may change. */
export class TestingError extends Error {
  override readonly name = 'TestingError'
  readonly code: TestingErrorCode
  constructor(code: TestingErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * What is tested did something else than was expected: an `AssertionError`, so that every runner reports it as a failed
 * assertion. The message shows what came and what did not; runners that show a difference find it in `actual` and `expected`.
 */
export class ExpectationError extends AssertionError {
  constructor(
    message: string,
    values: { readonly actual: unknown; readonly expected: unknown; readonly cause?: unknown },
  ) {
    super({ message, actual: values.actual, expected: values.expected, operator: 'expectEvents' })
    if (values.cause !== undefined) this.cause = values.cause
  }
}
