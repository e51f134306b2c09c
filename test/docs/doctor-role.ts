// The ClusterRole in docs/DOCTOR.md.
import * as v from 'valibot'
import { parse } from 'yaml'
import { readPage } from './pages.ts'

const RoleSchema = v.looseObject({
  rules: v.array(
    v.object({
      apiGroups: v.array(v.string()),
      resources: v.array(v.string()),
      verbs: v.array(v.string()),
      resourceNames: v.optional(v.array(v.string())),
    }),
  ),
})

export function doctorRole(): v.InferOutput<typeof RoleSchema> {
  const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(readPage('docs/DOCTOR.md')) ?? []
  return v.parse(RoleSchema, parse(yaml))
}
