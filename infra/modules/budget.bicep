metadata description = 'A budget of the resource group: it sends mail, and stops nothing.'

import { budgetType } from 'types.bicep'

@description('Name of the budget.')
param name string

@description('How much, from when on.')
param budget budgetType

@description('Resource id of the action group.')
param actionGroupId string

resource limit 'Microsoft.Consumption/budgets@2024-08-01' = {
  name: name
  properties: {
    category: 'Cost'
    amount: budget.monthlyAmount
    timeGrain: 'Monthly'
    timePeriod: {
      startDate: '${budget.firstMonth}-01T00:00:00Z'
    }
    notifications: {
      spent80: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: []
        contactGroups: [actionGroupId]
      }
      forecast100: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: []
        contactGroups: [actionGroupId]
      }
    }
  }
}
