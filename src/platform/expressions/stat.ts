import fc from 'fast-check'
import { arbitraryExpression, arbitraryRow, arbitraryVariables } from './arbitrary-expression.ts'
import { checkExpression } from './check-expression.ts'
import { evaluate } from './evaluate-expression.ts'
import { compileToSql } from './compile-to-sql.ts'
const rows = fc.sample(arbitraryRow, { numRuns: 60, seed: 7 })
let ok=0,nul=0,fail=0,np=0,allnull=0,len=0,n=0,sql=0; const codes:Record<string,number>={}
for (const e of fc.sample(arbitraryExpression,{numRuns:3000,seed:1})) { const c=checkExpression(e,arbitraryVariables); n++; len+=e.length; if(!c.portable){np++;continue}; sql=Math.max(sql,compileToSql(c,'postgres',{column:p=>p}).length); let any=false
 for (const r of rows){const x=evaluate(c,r); if(!x.ok){fail++;codes[x.error.code]=(codes[x.error.code]??0)+1}else if(x.value===null)nul++;else{ok++;any=true}}
 if(!any)allnull++ }
console.log({n,np,allnull,ok,nul,fail,len:len/n,sql,codes}); console.log(fc.sample(arbitraryExpression,{numRuns:12,seed:3}).join('\n'))
