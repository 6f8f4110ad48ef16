metadata description = 'The workbook: flow, latency per stage, failures by cause. Its queries are files of queries/.'

import { tagsType } from 'types.bicep'

@description('Part of the name.')
param base string

@description('Resource id of the Application Insights component.')
param componentId string

@description('Region.')
param location string

@description('Tags.')
param tags tagsType

var panels = [
  {
    title: 'Flow: accepted, settled, dead-lettered'
    query: loadTextContent('../queries/flow.kql')
    chart: 'timechart'
  }
  {
    title: 'Latency per stage (median, 95 %, 99 %)'
    query: loadTextContent('../queries/latency.kql')
    chart: 'table'
  }
  {
    title: 'Outcomes by table'
    query: loadTextContent('../queries/outcomes.kql')
    chart: 'table'
  }
  {
    title: 'Attempts that failed, by cause'
    query: loadTextContent('../queries/failed-attempts-over-time.kql')
    chart: 'timechart'
  }
  {
    title: 'Calls to systems, by result'
    query: loadTextContent('../queries/calls.kql')
    chart: 'timechart'
  }
  {
    title: 'How long calls take, of the traces that are sampled'
    query: loadTextContent('../queries/call-durations.kql')
    chart: 'table'
  }
  {
    title: 'Given up, by cause'
    query: loadTextContent('../queries/dead-lettered.kql')
    chart: 'table'
  }
  {
    title: 'Oldest events that have not ended'
    query: loadTextContent('../queries/unsettled.kql')
    chart: 'table'
  }
  {
    title: 'Refused, by caller'
    query: loadTextContent('../queries/refused.kql')
    chart: 'table'
  }
  {
    title: 'Answers of the intake'
    query: loadTextContent('../queries/intake-answers.kql')
    chart: 'timechart'
  }
]

var timeRange = {
  type: 9
  name: 'parameters'
  content: {
    version: 'KqlParameterItem/1.0'
    style: 'pills'
    queryType: 0
    resourceType: 'microsoft.insights/components'
    parameters: [
      {
        id: guid(base, 'TimeRange')
        version: 'KqlParameterItem/1.0'
        name: 'TimeRange'
        label: 'Time range'
        type: 4
        isRequired: true
        value: {
          durationMs: 86400000
        }
        typeSettings: {
          selectableValues: [
            { durationMs: 3600000 }
            { durationMs: 14400000 }
            { durationMs: 86400000 }
            { durationMs: 259200000 }
            { durationMs: 604800000 }
          ]
        }
      }
    ]
  }
}

var charts = map(panels, (panel, i) => {
  type: 3
  name: 'panel-${i}'
  content: {
    version: 'KqlItem/1.0'
    title: panel.title
    query: panel.query
    size: 0
    queryType: 0
    resourceType: 'microsoft.insights/components'
    timeContextFromParameter: 'TimeRange'
    visualization: panel.chart
  }
})

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  // The name of a workbook is a guid.
  name: guid(componentId, 'integration-workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Integration ${base}'
    category: 'workbook'
    version: 'Notebook/1.0'
    sourceId: componentId
    serializedData: string({
      version: 'Notebook/1.0'
      items: concat([timeRange], charts)
      fallbackResourceIds: [componentId]
    })
  }
}
