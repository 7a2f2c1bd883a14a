"""Plots by gnuplot, as SVG beside the report."""
import os
import shutil
import subprocess

SCRIPT = """
set terminal svg size 720,420 background "white" font "sans,11"
set output "{svg}"
set title "{title}"
set xlabel "{x}"
set ylabel "{y}"
set key left top
set grid
{scales}
plot {lines}
"""


def available():
    return shutil.which("gnuplot") is not None


def draw(directory, name, title, x, y, series, log="xy"):
    """series: {label: [(x, y), ...]}. The path of the SVG below directory, or None without gnuplot."""
    if not available():
        return None
    os.makedirs(os.path.join(directory, "plots"), exist_ok=True)
    svg = os.path.join("plots", name + ".svg")
    data = "".join("$data%d << end\n%s\nend\n" % (i, "\n".join("%g %g" % p for p in points))
                   for i, points in enumerate(series.values()))
    lines = ", ".join('$data%d using 1:2 with linespoints lw 2 title "%s"' % (i, label)
                      for i, label in enumerate(series))
    scales = "set logscale %s" % log if log else ""
    scales += "\nset yrange [0:*]" if "y" not in log else ""
    script = data + SCRIPT.format(svg=os.path.join(directory, svg), title=title, x=x, y=y,
                                  scales=scales, lines=lines)
    subprocess.run(["gnuplot"], input=script, text=True, check=True, capture_output=True)
    return svg
