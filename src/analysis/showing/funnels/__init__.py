"""What a report says and shows of its funnels."""
