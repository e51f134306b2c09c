// docs/DOCTOR.md has every code of the doctor with its level, and no other; its ClusterRole allows what the doctor reads.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CODES } from '../../webhook/cli/doctor/finding.ts'
import { PATHS } from '../webhook/cli/doctor/cluster.ts'
import { doctorRole } from './doctor-role.ts'
import { readPage } from './pages.ts'

const PAGE = readPage('docs/DOCTOR.md')

test('every code of the doctor is in DOCTOR.md with its level, a meaning and a fix, and no other', () => {
  const [, tables = ''] = /<!-- codes[^>]*-->\n([\s\S]*?)\n<!-- \/codes -->/.exec(PAGE) ?? []
  const rows = [...tables.matchAll(/^\| `([a-z-]+)` \| (\w+) \| (.+?) \| (.+?) \|$/gm)]
  assert.deepEqual(
    rows.map(([, code, level]) => [code, level]).sort(),
    Object.entries(CODES).sort(),
  )
})

/** What the API server asks RBAC about a GET; `undefined` for a path that every user may get. */
function attributesOf(path: string) {
  const [start = '', isList] = path.split('?')
  const [, root, ...parts] = start.split('/')
  if (root !== 'api' && root !== 'apis') return undefined
  const group = root === 'apis' ? (parts.shift() ?? '') : ''
  const [, first, ...rest] = parts
  if (first === undefined) return undefined
  const [resource = '', name, subresource] =
    first === 'namespaces' && rest.length > 1 ? rest.slice(1) : [first, ...rest]
  const verb = name === undefined || isList !== undefined ? 'list' : 'get'
  return { group, verb, name, resource: subresource ? `${resource}/${subresource}` : resource }
}

test('the ClusterRole in DOCTOR.md allows all that the doctor reads', () => {
  const { rules } = doctorRole()
  // The metric is read only by who may not read the explanation.
  const { metric: _otherwise, ...paths } = PATHS
  const refused = Object.values(paths).filter((path) => {
    const asked = attributesOf(path)
    return (
      asked !== undefined &&
      !rules.some(
        ({ apiGroups, resources, verbs, resourceNames }) =>
          apiGroups.includes(asked.group) &&
          resources.includes(asked.resource) &&
          verbs.includes(asked.verb) &&
          (resourceNames?.includes(asked.name ?? '') ?? true),
      )
    )
  })
  assert.deepEqual(refused, [])
  assert.ok(rules.every(({ verbs }) => verbs.every((verb) => ['get', 'list'].includes(verb))))
})
