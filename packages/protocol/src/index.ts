export * from './control-event.ts'
export * from './event-id.ts'
export * from './protocol-error.ts'
export * from './topic.ts'
