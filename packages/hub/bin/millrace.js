#!/usr/bin/env -S node --max-semi-space-size=4
// The command. Old Nodes must be able to parse this file, so that they can say that they are too old.
// The small young generation saves a third of the memory of 10,000 idle streams (benchmark `idle`).
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const source = new URL('../src/main.ts', import.meta.url)
const built = new URL('../dist/main.js', import.meta.url)

// A checkout runs its TypeScript as it is: Node strips types by itself since 22.18.
const isCheckout = existsSync(fileURLToPath(source))
const needed = isCheckout ? '22.18' : '22.13'
const present = process.version.slice(1)

if (isOlder(present, needed)) {
  const where = isCheckout ? ' from a checkout' : ''
  const hint = isCheckout ? '. Use "npx millrace", or put node_modules/.bin first on the PATH: it has one' : ''
  process.stderr.write(
    'millrace' + where + ' needs Node ' + needed + ' or newer; this is Node ' + present + hint + '\n',
  )
  process.exitCode = 1
} else {
  void run()
}

async function run() {
  if (isCheckout) await preferSources()
  const { main } = await import((isCheckout ? source : built).href)
  await main(process.argv.slice(2))
}

/** Resolves the workspace's packages to their sources, as `node --conditions=@millrace/source` does. */
async function preferSources() {
  const { registerHooks } = await import('node:module')
  registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: [...context.conditions, '@millrace/source'] }),
  })
}

/**
 * @param {string} version
 * @param {string} bound
 */
function isOlder(version, bound) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [boundMajor = 0, boundMinor = 0] = bound.split('.').map(Number)
  return major < boundMajor || (major === boundMajor && minor < boundMinor)
}
