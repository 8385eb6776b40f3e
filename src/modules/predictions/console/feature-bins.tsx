import styles from './feature-bins.module.css'

/** The training histogram of a feature in one line, with the bin of a value marked. */
export function FeatureBins(props: { name: string; counts: readonly number[]; bin: number | undefined }) {
  const { name, counts, bin } = props
  const most = Math.max(1, ...counts)
  const bars = counts.map((count, index) => ({
    x: index * 6,
    height: Math.max(1, (count / most) * 20),
    here: index === bin,
  }))
  const label = bin === undefined ? `${name} in training` : `${name}: bin ${bin + 1} of ${counts.length} in training`
  return (
    <svg className={styles.bins} viewBox={`0 0 ${counts.length * 6} 20`} role="img" aria-label={label}>
      {bars.map(({ x, height, here }) => (
        <rect key={x} x={x} y={20 - height} width={5} height={height} data-here={here} />
      ))}
    </svg>
  )
}
