// Before `npm start` and `npm test`: says in one sentence what is not installed. CommonJS, because it has to run on whatever
// Node there is.
const { existsSync } = require('node:fs')
const { join } = require('node:path')
const { devDependencies } = require('../../package.json')

const wanted = Number(devDependencies.node.split('.')[0])
const installed = existsSync(join(__dirname, '../../node_modules/.package-lock.json'))

if (!installed) {
  stop('The packages are not installed: run npm ci first.')
} else if (Number(process.versions.node.split('.')[0]) < wanted) {
  stop(
    `This needs Node ${wanted}, and this is Node ${process.versions.node}: npm ci installs it, unless it runs with ` +
      '--ignore-scripts; run npm ci --ignore-scripts=false.',
  )
}

function stop(sentence) {
  process.stderr.write(`${sentence}\n`)
  process.exit(1)
}
