import { checkExpression } from './check-expression.ts'
import { compileToSql } from './compile-to-sql.ts'
import { evaluate } from './evaluate-expression.ts'
import { defineVariables } from './types.ts'

const v = defineVariables({
  x: 'double',
  n: 'int',
  m: 'int?',
  s: 'string',
  t: 'timestamp',
  b: 'bool?',
  distance: 'double',
  date: 'timestamp',
  version: {
    fields: {
      metrics: { map: 'double' },
      tier: 'string',
      labels: 'dyn',
      approvals: { list: { fields: { role: 'string', at: 'timestamp' } } },
    },
  },
})
const row = {
  x: 2.5,
  n: 7,
  m: null,
  s: 'hello',
  t: '2013-01-01T10:30:00Z',
  b: true,
  distance: 900,
  date: new Date(0),
  version: {
    metrics: { auc: 0.93 },
    tier: 'high',
    labels: { a: [1, 2] },
    approvals: [{ role: 'risk', at: '2020-01-01T00:00:00Z' }],
  },
}
for (const e of process.argv.length > 2
  ? process.argv.slice(2)
  : [
      'x * 2.0 + double(n)',
      'x*2',
      'n / 0 > 1 || true',
      'm == null ? 0 : m + 1',
      'date + duration("30m") + seconds(distance / 450.0 * 3600.0)',
      'version.metrics.auc > 0.9 && version.tier == "high"',
      'version.approvals.exists(a, a.role == "risk" && a.at < t)',
      'version.labels.a[1] == 2',
      'has(version.labels.zz)',
      'version.metrics.f1 > 0.5',
      's.matches("^h.*o$")',
      's in ["a","hello"]',
      't.getHours() * 60 + t.getMinutes()',
      'math.exp(x)',
      'math.greatest(n, 3, 9)',
      'dista > 1.0',
      's = 1',
      's and b',
      'x > 1 ? s : n',
      's.matches("(?=a)")',
      's.lenght()',
      't - date > duration("1h")',
      'm + 1',
      's.startsWith("h") ? 1 : 2',
      'b',
      'version.metrics["auc"]',
      's.matches("\\\\bx")',
      'version',
      'null',
      's + ',
    ]) {
  try {
    const c = checkExpression(e, v)
    console.log(e, '::', c.type, c.nullable, c.reads.join(), c.portable, JSON.stringify(evaluate(c, row)))
    if (c.portable && process.argv.length > 2) {
      console.log(compileToSql(c, 'duckdb', { column: (p) => `"${p}"` }))
      console.log(compileToSql(c, 'postgres', { column: (p) => `"${p}"` }))
    }
  } catch (err: any) {
    console.log(e, '!!', err.code, err.message, '|', err.hint, err.code === undefined ? err.stack : '')
  }
}
const c = checkExpression('x * 2.0 + double(n) > 3.0 && s in ["a", "hello"] && t.getHours() < 12', v)
evaluate(c, row)
const t0 = performance.now()
for (let i = 0; i < 200000; i++) evaluate(c, row)
console.log((((performance.now() - t0) / 200000) * 1e3).toFixed(3), 'µs')
