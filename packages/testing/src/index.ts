export const isBuilt = false
