// Draws the charts of a report. What they show is JSON in the file; nothing of it becomes markup.
(function () {
  "use strict";

  // Labels are left out where there is no room for all of them.
  function everyNth(place, labels) {
    var longest = labels.reduce(function (most, label) { return Math.max(most, label.length); }, 1);
    var room = Math.max(1, Math.floor((place.clientWidth - 60) / (longest * 6 + 10)));
    return Math.ceil(labels.length / room);
  }

  function short(label) {
    return /^\d{4}-\d{2}-\d{2}$/.test(label) ? label.slice(5) : label;
  }

  function spell(n) {
    return Math.abs(n) >= 1e6 ? (n / 1e6) + " M" : Math.abs(n) >= 1e4 ? (n / 1e3) + " k" : String(n);
  }

  // The highest and lowest ends of the bars that stand on one another, or hang.
  function bounds(chart) {
    var low = 0, high = 0;
    chart.labels.forEach(function (_, i) {
      var up = 0, down = 0;
      chart.series.forEach(function (s) {
        if (s.values[i] > 0) up += s.values[i]; else down += s.values[i];
      });
      high = Math.max(high, up);
      low = Math.min(low, down);
    });
    return {low: low, high: high === low ? low + 1 : high};
  }

  function draw(chart) {
    var place = document.getElementById(chart.id);
    var labels = chart.labels.map(short);
    var options = {
      height: place.clientHeight + "px",
      chartPadding: {top: 16, right: 12, bottom: 0, left: 12},
      axisX: {labelInterpolationFnc: function (label, i) { return i % everyNth(place, labels) === 0 ? label : null; }},
      axisY: {offset: 48, onlyInteger: true, labelInterpolationFnc: spell},
    };
    var data = {labels: labels, series: chart.series.map(function (s) { return {name: s.name, value: 0, data: s.values}; })};
    var drawn;
    if (chart.shape === "line") {
      options.showPoint = false;
      options.showArea = true;
      options.fullWidth = true;
      options.low = chart.series.some(function (s) { return s.values.some(function (v) { return v < 0; }); }) ? undefined : 0;
      options.lineSmooth = Chartist.Interpolation.none();
      drawn = new Chartist.LineChart(place, data, options);
    } else {
      options.stackBars = true;
      options.stackMode = "accumulate-relative";
      options.low = bounds(chart).low;
      options.high = bounds(chart).high;
      drawn = new Chartist.BarChart(place, data, options);
    }
    drawn.on("draw", function (d) {
      if (d.type !== "bar") return;
      var width = Math.max(2, Math.min(36, (place.clientWidth - 70) / labels.length * 0.7));
      d.element.attr({style: "stroke-width: " + width + "px"});
      d.element.elem("title").text(chart.labels[d.index] + ": " + chart.series[d.seriesIndex].name + " " + Math.abs(chart.series[d.seriesIndex].values[d.index]));
    });
    // With a view box the picture is scaled where it is shown smaller than it was drawn, as in print.
    drawn.on("created", function (d) {
      d.svg.attr({viewBox: "0 0 " + place.clientWidth + " " + place.clientHeight});
    });
  }

  JSON.parse(document.getElementById("charts").textContent).forEach(function (chart) {
    if (chart.labels.length > 0) draw(chart);
  });
})();
