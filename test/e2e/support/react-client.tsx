import { version } from 'react'
import { createRoot, hydrateRoot } from 'react-dom/client'
import { App } from './react-app.tsx'

const container = document.querySelector('#root')
if (container?.hasChildNodes()) hydrateRoot(container, <App />)
else if (container) createRoot(container).render(<App />)

Object.assign(globalThis, { reactVersion: version })
