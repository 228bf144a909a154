// The packages that are published, as their manifests say.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './ensure-install.mjs'

/** Folders under packages/ that hold packages of one kind. */
const groups = ['adapters', 'backends']

/**
 * @typedef {object} Manifest
 * @property {string} name
 * @property {string} version
 * @property {string} [description]
 * @property {string[]} [keywords]
 * @property {string} [license]
 * @property {boolean} [private]
 * @property {string} [type]
 * @property {boolean} [sideEffects]
 * @property {string[]} [files]
 * @property {Record<string, unknown>} [exports]
 * @property {Record<string, string>} [dependencies]
 * @property {Record<string, string>} [peerDependencies]
 * @property {Record<string, string>} [engines]
 *
 * @typedef {object} PublishedPackage
 * @property {string} folder its whole path
 * @property {Manifest} manifest
 */

/** @returns {PublishedPackage[]} */
export function publishedPackages() {
  const packages = join(root, 'packages')
  const folders = readdirSync(packages).flatMap((folder) =>
    groups.includes(folder) ? readdirSync(join(packages, folder)).map((name) => join(folder, name)) : [folder],
  )
  return folders.map((folder) => ({
    folder: join(packages, folder),
    manifest: JSON.parse(readFileSync(join(packages, folder, 'package.json'), 'utf8')),
  }))
}

/**
 * The entries of a package as they are imported. One with a star is a folder of data.
 *
 * @param {Manifest} manifest
 * @returns {string[]}
 */
export function entriesOf({ name, exports = {} }) {
  return Object.keys(exports)
    .filter((entry) => !entry.includes('*'))
    .map((entry) => name + entry.slice(1))
}
