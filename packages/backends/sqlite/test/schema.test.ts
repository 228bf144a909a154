import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { migrate, MIGRATIONS, versionOf } from '../src/worker/schema.ts'

const STEPS = ['CREATE TABLE first (a)', 'ALTER TABLE first ADD COLUMN b', 'INSERT INTO first VALUES (1, 2)']

test('an older file goes through the steps that it lacks, each once', () => {
  const database = new DatabaseSync(':memory:')
  migrate(database, STEPS.slice(0, 1))
  expect(versionOf(database)).toBe(1)
  migrate(database, STEPS)
  migrate(database, STEPS)
  expect(versionOf(database)).toBe(3)
  expect(database.prepare('SELECT * FROM first').all()).toEqual([{ a: 1, b: 2 }])
})

test('a step that fails leaves the version before it, whole', () => {
  const database = new DatabaseSync(':memory:')
  const broken = [...STEPS.slice(0, 1), 'CREATE TABLE second (a); CREATE TABLE first (a)']
  expect(() => migrate(database, broken)).toThrow('already exists')
  expect(versionOf(database)).toBe(1)
  migrate(database, STEPS)
  expect(versionOf(database)).toBe(3)
})

test('a new file has the newest version', () => {
  const database = new DatabaseSync(':memory:')
  migrate(database)
  expect(versionOf(database)).toBe(MIGRATIONS.length)
})
