// What a manifest has to say so that its package can be published, found and used.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './ensure-install.mjs'

/** @import { PublishedPackage } from './packages.mjs' */

/**
 * One sentence for each fault of the packages; none when all is well.
 *
 * @param {readonly PublishedPackage[]} packages
 * @returns {string[]}
 */
export function packageFaults(packages) {
  const versions = new Set(packages.map(({ manifest }) => manifest.version))
  const found = versions.size > 1 ? [`the versions differ (${[...versions].join(', ')}); packages go together`] : []
  return [...found, ...packages.flatMap((each) => [...manifestFaults(each), ...fileFaults(each)])]
}

/**
 * @param {PublishedPackage} one
 * @returns {string[]}
 */
function manifestFaults({ manifest }) {
  const { name, description, keywords, license, type, files = [], engines } = manifest
  const rules = {
    'has a description of 20 characters or more': (description ?? '').length >= 20,
    'has keywords, "server-sent-events" among them': keywords?.includes('server-sent-events'),
    'has the license MIT': license === 'MIT',
    'is of the type "module"': type === 'module',
    'says whether it has side effects': manifest.sideEffects !== undefined,
    'is not private': manifest.private !== true,
    'leaves the record of the compiler out': files.includes('!dist/.tsbuildinfo'),
    'says which Node it needs': engines?.['node'] !== undefined,
  }
  return Object.entries(rules).flatMap(([rule, holds]) => (holds ? [] : [`${name}: the manifest ${negated(rule)}`]))
}

/** @param {string} rule */
function negated(rule) {
  return `does not hold that it ${rule}`
}

/**
 * @param {PublishedPackage} one
 * @returns {string[]}
 */
function fileFaults({ folder, manifest: { name } }) {
  const found = []
  if (!existsSync(join(folder, 'README.md'))) found.push(`${name}: there is no README.md`)
  const license = join(folder, 'LICENSE')
  const isSame = existsSync(license) && readFileSync(license).equals(readFileSync(join(root, 'LICENSE')))
  if (!isSame) found.push(`${name}: LICENSE is not that of the workspace; copy it`)
  return found
}
