// `npm run check`: every static check, one after the other, each told apart by name. All run even when one fails.
import { spawnSync } from 'node:child_process'
import { delimiter, dirname } from 'node:path'
import { ensureInstalled, projectNode, root } from './ensure-install.mjs'

await ensureInstalled()

const checks = [
  { name: 'types', script: 'typecheck' },
  { name: 'lint', script: 'lint' },
  { name: 'format', script: 'format:check' },
  { name: 'architecture', script: 'architecture' },
]

const failed = checks.filter(({ name, script }) => {
  const startedMs = performance.now()
  const passed =
    spawnSync('npm', ['run', '--silent', script], { cwd: root, stdio: 'inherit', env: environment() }).status === 0
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
  console.log(`${passed ? 'ok' : 'FAILED'}  ${name} (${seconds} s)`)
  return !passed
})

if (failed.length > 0) {
  console.error(`static checks failed: ${failed.map(({ name }) => name).join(', ')}`)
  process.exitCode = 1
}

function environment() {
  return { ...process.env, PATH: `${dirname(projectNode)}${delimiter}${process.env.PATH ?? ''}` }
}
