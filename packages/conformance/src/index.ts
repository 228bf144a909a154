export * from './conformance-case.ts'
export * from './event-log-suite.ts'
export * from './event-log/event-log-setup.ts'
export * from './seeded-random.ts'
