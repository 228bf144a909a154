/**
 * Why a file cannot be opened as a log. Each is for somebody to mend: trying again does not help.
 *
 * - `missing_folder`: the folder that it is to be in does not exist.
 * - `not_a_file`: the path names a folder or something else that is no file.
 * - `not_writable`: the file or its folder may not be written to.
 * - `foreign`: it is something else than a log of Millrace.
 * - `newer`: a newer version of Millrace has written it.
 * - `damaged`: it is a log, and its content is broken or incomplete.
 * - `locked`: another log has it open, in this process or another.
 * - `failed`: something else went wrong; see the message.
 */
export type SqliteErrorCode =
  | 'missing_folder'
  | 'not_a_file'
  | 'not_writable'
  | 'foreign'
  | 'newer'
  | 'damaged'
  | 'locked'
  | 'failed'

export class SqliteError extends Error {
  override readonly name = 'SqliteError'
  readonly code: SqliteErrorCode
  constructor(code: SqliteErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
