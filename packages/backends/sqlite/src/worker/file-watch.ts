import { statOf, walPathOf } from './log-file.ts'

interface WatchedFile {
  readonly path: string
  readonly device: bigint
  readonly inode: bigint
}

/** The log's file, or that of its newest events, is not where it was. */
export class FileGone extends Error {
  override readonly name = 'FileGone'
}

/**
 * Sees when the log's files are deleted, moved or replaced while they are open: what is written then goes to files that
 * vanish with the process.
 */
export class FileWatch {
  readonly #files: readonly WatchedFile[]

  /** @param path of the log, which is open and has been written to */
  constructor(path: string) {
    this.#files = [path, walPathOf(path)].flatMap((each) => {
      const stat = statOf(each)
      return stat ? [{ path: each, device: stat.dev, inode: stat.ino }] : []
    })
  }

  /** @throws FileGone */
  check(): void {
    for (const { path, device, inode } of this.#files) {
      const stat = statOf(path)
      if (stat?.ino === inode && stat.dev === device) continue
      const what = stat ? 'was replaced by another file' : 'was deleted or moved away'
      throw new FileGone(
        `${path} ${what} while the log was open: nothing is stored. Move it back, or restart to begin with what is there.`,
      )
    }
  }
}
