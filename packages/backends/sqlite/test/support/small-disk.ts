import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { testFolder } from './test-folder.ts'

/** A file system of its own in memory. */
export interface SmallDisk {
  readonly folder: string
  remount(options: string): void
  unmount(): void
}

/** Mounts one; undefined where that is not allowed. */
export function smallDisk(sizeKib: number): SmallDisk | undefined {
  const folder = join(testFolder(), 'disk')
  mkdirSync(folder)
  const mount = (options: string): boolean =>
    spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]).status === 0
  if (process.platform !== 'linux' || !mount(`size=${sizeKib}k`)) return undefined
  return {
    folder,
    remount(options) {
      const { status, stderr } = spawnSync('mount', ['-o', `remount,${options}`, folder])
      if (status !== 0) throw new Error(`remount failed: ${String(stderr)}`)
    },
    unmount: () => void spawnSync('umount', [folder]),
  }
}
