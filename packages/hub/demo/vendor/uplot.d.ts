// The server serves npm's uplot under this name; the editor finds its types here.
export { default } from 'uplot'
