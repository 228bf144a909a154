import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const script = new URL('../../scripts/ensure-tools.mjs', import.meta.url).href

describe('a tool that is missing', () => {
  // The only folder on the PATH: what is not placed here is not on the machine.
  let folder = ''

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-tools-'))
  })

  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  test('is fetched by apt as root, without a question', () => {
    placeApt('chromium')
    expect(ensure(['chromium'], 0)).toBe('millrace: fetching chromium by apt …\n')
    expect(aptCalls()).toEqual([
      expect.stringContaining('--version'),
      expect.stringMatching(/^noninteractive .*update/),
      expect.stringMatching(/^noninteractive .*install -y .*chromium$/),
    ])
  })

  test('does not keep the others from being fetched when apt has none of it', () => {
    placeApt('firefox-esr')
    const said = ensure(['chromium', 'firefox'], 0)
    expect(said).toContain('install -y -q --no-install-recommends chromium failed:\nE: no such package')
    expect(said).toContain('apt brought no chromium: the tests that need it are skipped')
    expect(said).not.toContain('no firefox')
  })

  test('is left missing, and said so, where apt is not there', () => {
    expect(ensure(['chromium', 'firefox'], 0)).toContain('no chromium, no firefox here')
  })

  test('is left missing on the machine of a person who is not root', () => {
    placeApt('chromium')
    expect(ensure(['chromium'], 1000)).toContain('no chromium here')
    expect(aptCalls()).toEqual([expect.stringContaining('--version')])
  })

  test('that is there is not asked for', () => {
    placeApt('chromium')
    place('firefox', '')
    expect(ensure(['firefox'], 0)).toBe('')
    expect(aptCalls()).toEqual([])
  })

  /** An apt-get that writes down how it was called, and installs one package only. */
  function placeApt(packageName: string): void {
    const log = join(folder, 'calls')
    const installed = join(folder, packageName)
    place(
      'apt-get',
      `echo "$DEBIAN_FRONTEND $*" >>'${log}'
       case "$*" in
         *update*|--version) ;;
         *' ${packageName}') echo >'${installed}'; /bin/chmod +x '${installed}' ;;
         *) echo 'E: no such package' >&2; exit 100 ;;
       esac`,
    )
  }

  function place(command: string, body: string): void {
    writeFileSync(join(folder, command), `#!/bin/sh\n${body}\n`, { mode: 0o755 })
  }

  function aptCalls(): string[] {
    const log = join(folder, 'calls')
    return existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []
  }

  /** What `ensureTools` says when the user has the id given. */
  function ensure(names: readonly string[], userId: number): string {
    const program = `process.getuid = () => ${userId}
      const { ensureTools } = await import('${script}')
      ensureTools(${JSON.stringify(names)})`
    const env = { PATH: folder }
    const args = ['--input-type=module', '-e', program]
    return spawnSync(process.execPath, args, { env, encoding: 'utf8' }).stderr
  }
})
