/** A row of bars, one for each number, as small as a word. Its numbers stand beside it, so it says nothing to a screen reader. */
export function Sparkline({ values }: { values: readonly number[] }) {
  const most = Math.max(1, ...values)
  const bars = values.map((value, index) => {
    const height = value === 0 ? 0 : Math.max(1.5, (value / most) * 20)
    return `M${index * 4} 20v${-height}h3v${height}z`
  })
  return (
    <svg viewBox={`0 0 ${values.length * 4} 20`} width={values.length * 3} height="18" aria-hidden="true">
      <path d={bars.join('')} fill="var(--primary-traffic)" />
    </svg>
  )
}
